# A panel for each strategy, a line for each size; where a change began, a line from top to bottom.
high = 160 + 201.6*rows + 76.8*(rows-1)
load 'common.gp'
load 'times.gp'
set xrange [0.5:comparisons+0.5]
file(panel) = sprintf('panel%d.dat', panel)
block(size) = sprintf('"%d"', size)
set multiplot layout rows,columns margins 0.095,0.985,from_bottom(83.2),from_top(89.6) spacing 0.08,76.8/whole
do for [p=1:|panel|] {
    if (p == 2) { unset label }
    set title panel[p]
    plot 'changes.dat' index block(p) using 1:(time_low):(0):(time_high-time_low) with vectors nohead linecolor rgb '#909090' dashtype 2, \
         for [i=1:|color|] file(p) index block(i) using 1:3:4 with filledcurves linecolor rgb band(i), \
         for [i=1:|color|] file(p) index block(i) using 1:2 with linespoints linestyle i
}
unset multiplot
