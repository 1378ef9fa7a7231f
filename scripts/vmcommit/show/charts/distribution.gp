# On two logarithmic axes, so that the rare and slow touches can be seen.
high = 480
load 'common.gp'
set logscale xy 10
set xrange [touch_low:touch_high]
set yrange [share_low:1.2]
set xtics () rotate by 30 right
do for [i=1:|touch_at|] { set xtics add (touch_text[i] touch_at[i]) }
set format y '%g'
set xlabel 'time of one touch'
set multiplot layout rows,columns margins 0.09,0.985,from_bottom(0.25*high),from_top(0.17*high) spacing 0.09
set ylabel 'share of touches that took longer'
do for [p=1:|panel|] {
    set title panel[p]
    if (p > 1) { unset label; unset ylabel }
    plot for [i=1:|key|] sprintf('panel%d.dat', p) index key[i] using 1:2 with lines linestyle i
}
unset multiplot
