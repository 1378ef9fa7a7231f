perfect = 0
load 'by_threads.gp'
