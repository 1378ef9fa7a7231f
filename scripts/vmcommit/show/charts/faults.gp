# Faults of one cycle against size: what the kernel counted, and what our handler answered. Zero has
# no place on a logarithmic axis and is drawn on a line of its own at the bottom.
wide = 1000; high = 480
heading = 'Faults of one cycle'
load 'common.gp'
eval legend_strategies
zero = 0.25
or_zero(count) = count > 0 ? count : zero
set logscale x 2
set logscale y 2
set xrange [size_low:size_high]
set yrange [zero/2:count_high]
eval 'set xtics '.size_tics.' rotate by 30 right'
eval 'set ytics '.count_tics
set ytics add ('0' zero)
set xlabel 'size of the region, all of it touched'
set multiplot layout 1,2 margins 0.115,0.985,0.25,0.83 spacing 0.12
set title 'minor page faults, by the kernel'
set ylabel 'faults of a cycle'
plot for [i=1:known] data.'minor_faults.dat' index i-1 using 1:(or_zero($2)) with linespoints linestyle i
unset label
unset ylabel
set title 'handled faults, by the strategy'
plot for [i=1:known] data.'handled_faults.dat' index i-1 using 1:(or_zero($2)) with linespoints linestyle i
unset multiplot
