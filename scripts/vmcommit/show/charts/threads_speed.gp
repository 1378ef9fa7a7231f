# Thin lines from the first point on are perfect scaling.
perfect = 1
value_label = 'pages a second'
load 'by_threads.gp'
