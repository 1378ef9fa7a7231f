# Whole processes by hyperfine: the cycle that the process timed itself, and all the rest of it. The
# thin line runs from the least to the most of the runs.
wide = 1000; high = 440
heading = 'Whole processes'
load 'common.gp'
set style fill solid border linecolor rgb '#ffffff'
set boxwidth 0.6
set yrange [0:process_high]
set xrange [-0.6:4.6]
set ylabel 'time of a whole process, ms'
set xlabel 'a region of '.sweep_size.'; start is a process that measures nothing'
set margins screen 0.095, screen 0.985, screen 0.2, screen 0.88
eval legend_fill(1, 0.42, 'the cycle, by its own clock', '#0072B2')
eval legend_fill(2, 0.70, 'the rest: start, warm-up, counters', '#c0c0c0')
plot data.'process_times.dat' using 0:($2+$3) with boxes linecolor rgb '#c0c0c0', \
     data.'process_times.dat' using 0:2:xtic(1) with boxes linecolor rgb '#0072B2', \
     data.'process_times.dat' using 0:4:(0):($5-$4) with vectors nohead linecolor rgb '#000000' linewidth 1.5
