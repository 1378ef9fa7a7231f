# Two recordings; the dashes of lines.dat tell which.
high = 520
load 'common.gp'
load 'memory_lines.gp'
