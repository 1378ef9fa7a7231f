# Where the slow touches are: page against time, how often as shade. Pages are folded into windows of
# 1 MiB, so that what comes back with every step stands at the same place.
wide = 1000; high = 560
heading = 'Time of a touch by its page, folded into 1 MiB'
load 'common.gp'
unset colorbox
set palette defined (0 '#ffffff', 0.25 '#c6dbef', 0.6 '#4292c6', 1 '#08306b')
set logscale y 10
unset grid
set xrange [-0.5:fold_pages-0.5]
set yrange [touch_low:touch_high]
eval 'set ytics '.touch_tics
set xtics 64
set xlabel 'page within the window'
set multiplot layout 2,(|touch_panels|+1)/2 margins 0.09,0.985,0.16,0.87 spacing 0.07,0.12
do for [i=1:|touch_panels|] {
    set title touch_panels[i]
    if (i == 2) { unset label }
    if (i > (|touch_panels|+1)/2) { set xlabel 'page within the window' } else { unset xlabel }
    plot data.'touches.dat' index i-1 using 1:2:($1-0.5):($1+0.5):3:4:5 with boxxyerror fillstyle solid noborder linecolor palette
}
unset multiplot
