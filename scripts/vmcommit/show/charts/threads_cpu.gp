perfect = 0
value_label = 'processor time a page'
load 'by_threads.gp'
