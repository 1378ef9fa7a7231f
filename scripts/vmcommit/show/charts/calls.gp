# Panels by size, with logarithmic axes that are the same in each; the last one by the number of
# other reservations, with a linear axis. Lines have their names in the panel, above small sizes,
# where nothing is drawn.
high = 760
load 'common.gp'
load 'sizes.gp'
load 'times.gp'
lines = 4
shade(i) = '#C0'.(line_color[i])[2:*]
set key inside left top Left reverse samplen 2 spacing 0.95 font ',9' textcolor rgb '#303030'
set multiplot layout rows,columns margins 0.085,0.985,from_bottom(0.14*high),from_top(0.13*high) spacing 0.05,0.145
do for [p=1:|panel|] {
    set title panel[p]
    if (p % int(columns) == 1) { set ylabel 'time of a call' } else { unset ylabel }
    if (p == 2) { unset label }
    if (p == |panel|) {
        unset logscale x
        set xrange [-0.4:|others_text|-0.6]
        set xtics () norotate
        do for [i=1:|others_text|] { set xtics add (others_text[i] i-1) }
        set xlabel 'other reservations'
        unset logscale y
        set yrange [0:others_high]
        set ytics autofreq
    } else {
        set xlabel 'size of the range'
    }
    data = sprintf('panel%d.dat', p)
    plot for [i=1:lines] data index sprintf('"%d untouched"', i) using 1:3:4 with filledcurves linecolor rgb shade(i) notitle, \
         for [i=1:lines] data index sprintf('"%d touched"', i) using 1:3:4 with filledcurves linecolor rgb shade(i) notitle, \
         for [i=1:lines] data index sprintf('"%d untouched"', i) using 1:2 with lines linecolor rgb line_color[i] dashtype 2 linewidth 1.5 title dashed_name[lines*(p-1)+i], \
         for [i=1:lines] data index sprintf('"%d touched"', i) using 1:2 with linespoints linecolor rgb line_color[i] pointtype line_mark[i] pointsize 0.8 linewidth 2 title full_name[lines*(p-1)+i]
}
unset multiplot
