# One recording.
high = 520
load 'common.gp'
load 'memory_lines.gp'
