# From zero, with a line at 1, where the default stands.
high = 420
load 'common.gp'
set logscale x 2
set xrange [step_low:step_high]
set xtics () norotate
do for [i=1:|step_at|] { set xtics add (step_text[i] step_at[i]) }
set xlabel 'step; '.subject
set ylabel 'time, as a multiple of the default'
set yrange [0:ratio_high]
set margins screen 0.085, screen 0.985, screen from_bottom(0.22*high), screen from_top(0.14*high)
plot 1 with lines linecolor rgb '#000000' linewidth 1, \
     for [i=1:|line_color|] 'ratios.dat' index sprintf('"%d"', i) using 1:3:4 with filledcurves linecolor rgb '#C0'.(line_color[i])[2:*], \
     for [i=1:|line_color|] 'ratios.dat' index sprintf('"%d"', i) using 1:2 with linespoints linecolor rgb line_color[i] pointtype line_mark[i] pointsize 1 linewidth 2
