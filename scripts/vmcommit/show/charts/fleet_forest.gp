# A panel for each strategy, a line for each machine.
tall = named > 0 ? 13*(lines < 12 ? 12 : lines) : 700
high = (100 + tall)*rows + 90
load 'common.gp'
unset grid
set grid x linecolor rgb '#e0e0e0' linewidth 1
set yrange [0.2:lines+0.8]
set ytics () font ',8' scale 0
do for [i=1:lines] { if (strlen(machine_text[i])) { set ytics add (machine_text[i] i) } }
set xlabel 'above upfront, %'
if (named == 0) { set ylabel 'machines, in the order of each panel' offset -1 }
set errorbars (named > 0 ? 1 : 0)
reach = named > 0 ? 0x222222 : 0xa8a8a8
set multiplot layout rows,columns margins 0.16,0.985,from_bottom(95),from_top(80) spacing 0.02,100.0/whole
do for [p=1:|panel|] {
    if (p > 1) { unset label; unset ylabel }
    if (p > 1 && int(p-1) % int(columns) > 0) { set format y '' } else { set format y }
    if (p > 1 && int(p-1) % int(columns) > 0) { set ytics () }
    set title panel[p]
    set object 1 rectangle from least[p], graph 0 to most[p], graph 1 behind fillcolor rgb '#dbe9f6' fillstyle solid noborder
    set object 2 rectangle from lower[p], graph 0 to upper[p], graph 1 behind fillcolor rgb '#6baed6' fillstyle solid noborder
    set xrange [left[p]:right[p]]
    set xtics mark_step[p]
    unset arrow
    if (close > left[p] && close < right[p]) { set arrow from close, graph 0 to close, graph 1 nohead linecolor rgb '#909090' dashtype 2 }
    data = sprintf('panel%d.dat', p)
    plot data using 1:2:3:4:($5 > 0 ? 0xa00000 : reach) with xerrorbars pointtype 0 linecolor rgb variable, \
         data using 1:2:($5 > 0 ? 0xa00000 : 0x222222) with points pointtype 7 pointsize (named > 0 ? 0.5 : 0.2) linecolor rgb variable
}
unset multiplot
