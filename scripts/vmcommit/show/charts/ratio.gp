# Paired within each round. From zero, with a line at 1.
high = 460
load 'common.gp'
load 'sizes.gp'
set xtics norotate center
set yrange [0:ratio_high]
set xlabel 'size of the region, all of it touched'
set ylabel 'time, as a multiple of '.base
set margins screen 0.095, screen 0.985, screen from_bottom(0.2*high), screen from_top(0.12*high)
plot 1 with lines linecolor rgb '#000000' linewidth 1, \
     for [i=1:|key|] 'ratio.dat' index key[i] using 1:3:4 with filledcurves linecolor rgb band(i), \
     for [i=1:|key|] 'ratio.dat' index key[i] using 1:2 with linespoints linestyle i
