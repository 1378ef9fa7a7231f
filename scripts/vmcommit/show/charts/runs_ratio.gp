# A panel for each strategy but the base, a line for each run.
high = 224.6 + 235.4*rows + 115*(rows-1)
load 'common.gp'
load 'runs.gp'
set yrange [0:ratio_high]
set multiplot layout rows,columns margins 0.06,0.985,from_bottom(115),from_top(109.6) spacing 0.06,115/whole
do for [p=1:|panel|] {
    if (p == 2) { unset label }
    set title panel[p]
    plot 1 with lines linecolor rgb '#000000' linewidth 1, \
         for [i=1:|color|] file(p) index block(i) using 1:3:4 with filledcurves linecolor rgb band(i), \
         for [i=1:|color|] file(p) index block(i) using 1:2 with linespoints linestyle i
}
unset multiplot
