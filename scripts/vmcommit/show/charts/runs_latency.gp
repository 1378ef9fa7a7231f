# A panel for each strategy, a line for each run.
high = 182.4 + 228*rows + 121.6*(rows-1)
load 'common.gp'
load 'runs.gp'
load 'times.gp'
set multiplot layout rows,columns margins 0.095,0.985,from_bottom(121.6),from_top(91.2) spacing 0.09,121.6/whole
do for [p=1:|panel|] {
    if (p == 2) { unset label }
    set title panel[p]
    plot for [i=1:|color|] file(p) index block(i) using 1:3:4 with filledcurves linecolor rgb band(i), \
         for [i=1:|color|] file(p) index block(i) using 1:2 with linespoints linestyle i
}
unset multiplot
