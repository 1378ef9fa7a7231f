# How single touches are spread: the share of touches that took longer than a time, on two
# logarithmic axes, so that the rare and slow ones can be seen.
wide = 1000; high = 480
heading = 'Times of single touches'
load 'common.gp'
eval legend_strategies
set logscale xy 10
set xrange [touch_low:touch_high]
set yrange [share_low:1.2]
eval 'set xtics '.touch_tics.' rotate by 30 right'
set format y '%g'
set xlabel 'time of one touch'
set multiplot layout 1,trace_panels margins 0.09,0.985,0.25,0.83 spacing 0.09
set ylabel 'share of touches that took longer'
do for [p=1:trace_panels] {
    set title word(trace_sizes, 2*p-1).' '.word(trace_sizes, 2*p)
    if (p > 1) { unset label; unset ylabel }
    plot for [i=1:known] data.'distribution.dat' index known*(p-1)+i-1 using 1:2 with lines linestyle i
}
unset multiplot
