# Left all of the region touched, right a part of it. The second axis gives multiples of a bare page
# fault, where the run knows its time.
high = 480
load 'common.gp'
load 'sizes.gp'
load 'times.gp'
set xlabel 'size of the region'
set multiplot layout 1,2 margins 0.095,0.915,from_bottom(0.25*high),from_top(0.17*high) spacing 0.085
set title 'all of it touched'
set ylabel 'time per touched page'
plot for [i=1:|key|] 'full.dat' index key[i] using 1:3:4 with filledcurves linecolor rgb band(i), \
     for [i=1:|key|] 'full.dat' index key[i] using 1:2 with linespoints linestyle i
unset label
unset ylabel
if (floor_known) {
    set border 11
    set logscale y2 10
    set y2range [time_low/floor_ns:time_high/floor_ns]
    set y2tics ()
    do for [i=1:|multiple_at|] { set y2tics add (multiple_text[i] multiple_at[i]) }
    set y2label 'multiple of a page fault'
}
set title sparse_text.' of it touched'
plot for [i=1:|key|] 'sparse.dat' index key[i] using 1:3:4 with filledcurves linecolor rgb band(i), \
     for [i=1:|key|] 'sparse.dat' index key[i] using 1:2 with linespoints linestyle i
unset multiplot
