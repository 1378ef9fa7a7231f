# The axis from left to right is the number of threads; a panel for each thing that they share.
high = 420
load 'common.gp'
set logscale x 2
set xrange [threads_low:threads_high]
set xtics () norotate
do for [i=1:|threads_at|] { set xtics add (threads_text[i] threads_at[i]) }
set logscale y 10
set yrange [value_low:value_high]
set ytics ()
do for [i=1:|value_at|] { set ytics add (value_text[i] value_at[i]) }
set xlabel subject
set multiplot layout rows,columns margins 0.115,0.985,from_bottom(0.28*high),from_top(0.2*high) spacing 0.03,0.1
do for [p=1:|panel|] {
    set title panel[p]
    if (p == 1) { set ylabel value_label } else { unset label; unset ylabel; unset xlabel; do for [i=1:|value_at|] { set ytics add ('' value_at[i]) } }
    data = sprintf('panel%d.dat', p)
    if (perfect) {
        plot for [i=1:|key|] sprintf('perfect%d.dat', p) index key[i] using 1:2 with lines linecolor rgb color[i] linewidth 0.7, \
             for [i=1:|key|] data index key[i] using 1:3:4 with filledcurves linecolor rgb band(i), \
             for [i=1:|key|] data index key[i] using 1:2 with linespoints linestyle i
    } else {
        plot for [i=1:|key|] data index key[i] using 1:3:4 with filledcurves linecolor rgb band(i), \
             for [i=1:|key|] data index key[i] using 1:2 with linespoints linestyle i
    }
}
unset multiplot
