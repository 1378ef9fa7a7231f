# Time per touched page over comparisons, a panel for each strategy, a line for each size; where a
# change began, a line from top to bottom.
wide = 1000; high = 640
heading = 'Time per touched page over revisions'
load 'common.gp'
array hue[8] = ['#000000', '#D55E00', '#0072B2', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#808000']
array sign[8] = [6, 9, 5, 13, 4, 8, 7, 12]
shade(i) = '#C0'.hue[i][2:*]
do for [i=1:sizes] {
    eval legend(i, 0.4 + 0.12*i, size_name[i], sign[i], 1, hue[i])
}
set logscale y 10
set xrange [0.5:revisions+0.5]
set yrange [page_low:page_high]
eval 'set ytics '.page_tics
set multiplot layout 2,(words(present)+1)/2 margins 0.095,0.985,0.13,0.86 spacing 0.08,0.12
do for [s=1:words(present)] {
    if (s == 2) { unset label }
    set title word(present, s)
    plot data.'changes.dat' index s-1 using 1:(page_low):(0):(page_high-page_low) with vectors nohead linecolor rgb '#909090' dashtype 2, \
         for [i=1:sizes] data.'trend.dat' index (s-1)*int(sizes)+i-1 using 1:3:4 with filledcurves linecolor rgb shade(i), \
         for [i=1:sizes] data.'trend.dat' index (s-1)*int(sizes)+i-1 using 1:2 with linespoints linecolor rgb hue[i] pointtype sign[i]
}
unset multiplot
