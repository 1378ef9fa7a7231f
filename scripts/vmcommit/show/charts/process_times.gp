# The cycle that the process timed itself, and all the rest of it. The thin line runs from the least
# to the most of the runs.
high = 440
load 'common.gp'
set style fill solid border linecolor rgb '#ffffff'
set boxwidth 0.6
set yrange [0:process_high]
set xrange [-0.6:|name|-0.4]
set xtics ()
do for [i=1:|name|] { set xtics add (name[i] i-1) }
set ylabel 'time of a whole process, ms'
set xlabel axis_text
set margins screen 0.095, screen 0.985, screen from_bottom(0.2*high), screen from_top(0.12*high)
plot 'processes.dat' using 0:($1+$2) with boxes linecolor rgb rest_color, \
     'processes.dat' using 0:1 with boxes linecolor rgb cycle_color, \
     'processes.dat' using 0:3:(0):($4-$3) with vectors nohead linecolor rgb '#000000' linewidth 1.5
