# A row for each way, of which each series has its place; from zero, with a line at 1.
high = 150 + 54*|way_text|
load 'common.gp'
set grid noytics xtics linecolor rgb '#e0e0e0' linewidth 1
set xrange [0:most]
set xlabel subject
set yrange [0.5 - |way_text|:0.5]
set ytics () scale 0
do for [i=1:|way_text|] { set ytics add (way_text[i] 1 - i) }
set arrow from first 1, graph 0 to first 1, graph 1 nohead linecolor rgb '#000000' linewidth 1
set margins screen 0.22, screen 0.975, screen from_bottom(85), screen from_top(45)
plot for [i=1:|file|] file[i] using 1:2:3:4 with xerrorbars linecolor rgb line_color[i] pointtype line_mark[i] pointsize 1.2 linewidth 2
