# Time per touched page against size; left all of the region touched, right a tenth. The second axis
# gives multiples of a bare page fault.
wide = 1000; high = 480
heading = 'Time per touched page'
load 'common.gp'
eval legend_strategies
set logscale x 2
set logscale y 10
set xrange [size_low:size_high]
set yrange [page_low:page_high]
eval 'set xtics '.size_tics.' rotate by 30 right'
eval 'set ytics '.page_tics
set xlabel 'size of the region'
set multiplot layout 1,2 margins 0.095,0.94,0.25,0.83 spacing 0.085
set title 'all of it touched'
set ylabel 'time per touched page'
plot for [i=1:known] data.'latency_full.dat' index i-1 using 1:3:4 with filledcurves linecolor rgb band(i), \
     for [i=1:known] data.'latency_full.dat' index i-1 using 1:2 with linespoints linestyle i
unset label
unset ylabel
if (floor == floor) {
    set border 11
    set logscale y2 10
    set y2range [page_low/floor:page_high/floor]
    eval 'set y2tics '.floor_tics
    set y2label 'multiple of a page fault'
}
set title 'a tenth of it touched'
plot for [i=1:known] data.'latency_sparse.dat' index i-1 using 1:3:4 with filledcurves linecolor rgb band(i), \
     for [i=1:known] data.'latency_sparse.dat' index i-1 using 1:2 with linespoints linestyle i
unset multiplot
