# Zero has no place on a logarithmic axis and is drawn on a line of its own at the bottom.
high = 480
load 'common.gp'
load 'sizes.gp'
zero = 0.25
or_zero(count) = count > 0 ? count : zero
set logscale y 2
set yrange [zero/2:count_high]
set ytics ()
do for [i=1:|count_at|] { set ytics add (count_text[i] count_at[i]) }
set ytics add ('0' zero)
set xlabel 'size of the region, all of it touched'
set multiplot layout 1,2 margins 0.13,0.985,from_bottom(0.25*high),from_top(0.17*high) spacing 0.12
set title 'minor page faults, by the kernel'
set ylabel 'faults of a cycle'
plot for [i=1:|key|] 'minor.dat' index key[i] using 1:(or_zero($2)) with linespoints linestyle i
unset label
unset ylabel
set title 'handled faults, by the strategy'
plot for [i=1:|key|] 'handled.dat' index key[i] using 1:(or_zero($2)) with linespoints linestyle i
unset multiplot
