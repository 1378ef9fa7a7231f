# Two panels by the size of a range, with one axis of times.
high = 440
load 'common.gp'
load 'sizes.gp'
load 'times.gp'
set xlabel 'size of the range'
set multiplot layout rows,columns margins 0.075,0.985,from_bottom(0.27*high),from_top(0.2*high) spacing 0.09,0.1
do for [p=1:|panel|] {
    set title panel[p]
    if (p == 1) { set ylabel 'time' } else { unset label; unset ylabel }
    data = sprintf('panel%d.dat', p)
    plot for [i=1:|line|] data index line[i] using 1:3:4 with filledcurves linecolor rgb '#C0'.(line_color[i])[2:*], \
         for [i=1:|line|] data index line[i] using 1:2 with linespoints linecolor rgb line_color[i] pointtype line_mark[i] pointsize 0.9 linewidth 2
}
unset multiplot
