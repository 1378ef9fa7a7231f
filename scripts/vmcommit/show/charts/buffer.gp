# Three panels by the size of a packet; latency alone is on a logarithmic axis.
high = 430
load 'common.gp'
set logscale x 2
set xrange [size_low:size_high]
set xtics ()
do for [i=1:|size_at|] { set xtics add (size_text[i] size_at[i]) }
set xlabel 'size of a packet'
set multiplot layout rows,columns margins 0.06,0.985,from_bottom(0.24*high),from_top(0.2*high) spacing 0.06,0.1
do for [p=1:|panel|] {
    set title panel[p]
    if (p == 2) {
        unset label
        load 'times.gp'
    } else {
        unset logscale y
        set yrange [0:(p == 1 ? flow_high : share_high)]
        set ytics autofreq
    }
    data = sprintf('panel%d.dat', p)
    plot for [i=1:|way|] data index way[i] using 1:3:4 with filledcurves linecolor rgb '#C0'.(line_color[i])[2:*], \
         for [i=1:(p == 2 ? |way| : 0)] 'worst.dat' index way[i] using 1:2 with lines linecolor rgb line_color[i] dashtype 2 linewidth 1.5, \
         for [i=1:|way|] data index way[i] using 1:2 with linespoints linecolor rgb line_color[i] pointtype line_mark[i] pointsize 0.9 linewidth 2
}
unset multiplot
