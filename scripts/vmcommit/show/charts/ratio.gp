# Time as a multiple of full up-front commit, paired within each round. From zero, line at 1.
wide = 1000; high = 460
heading = 'Time relative to upfront'
load 'common.gp'
eval legend_strategies
set logscale x 2
set xrange [size_low:size_high]
set yrange [0:ratio_high]
eval 'set xtics '.size_tics
set xlabel 'size of the region, all of it touched'
set ylabel 'time, as a multiple of upfront'
set margins screen 0.095, screen 0.985, screen 0.2, screen 0.88
plot 1 with lines linecolor rgb '#000000' linewidth 1, \
     for [i=2:known] data.'ratio.dat' index i-1 using 1:3:4 with filledcurves linecolor rgb band(i), \
     for [i=2:known] data.'ratio.dat' index i-1 using 1:2 with linespoints linestyle i
