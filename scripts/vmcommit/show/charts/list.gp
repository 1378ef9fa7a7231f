# Panels by the size of a node or by their number; axes are logarithmic but for what is charged.
high = 760
load 'common.gp'
load 'times.gp'
set logscale x 2
set multiplot layout rows,columns margins 0.07,0.985,from_bottom(0.14*high),from_top(0.13*high) spacing 0.075,0.145
do for [p=1:|panel|] {
    set title panel[p]
    if (p == 1 || p == 4) { set ylabel 'time of a node' } else { unset ylabel }
    if (p == 2) { unset label }
    if (axis[p] eq 'nodes') {
        set xrange [nodes_low:nodes_high]
        set xtics () norotate
        do for [i=1:|nodes_at|] { set xtics add (nodes_text[i] nodes_at[i]) }
        set xlabel 'nodes'
    } else {
        set xrange [node_bytes_low:node_bytes_high]
        set xtics () norotate
        do for [i=1:|node_bytes_at|] { set xtics add (node_bytes_text[i] node_bytes_at[i]) }
        set xlabel 'size of a node'
    }
    if (p == |panel|) {
        unset logscale y
        set yrange [0:overhead_high]
        set ytics autofreq
    }
    data = sprintf('panel%d.dat', p)
    dashes = sprintf('dashes%d.dat', p)
    plot for [i=1:|line_color|] data index sprintf('"%d"', i) using 1:3:4 with filledcurves linecolor rgb '#C0'.(line_color[i])[2:*], \
         for [i=1:|line_color|] dashes index sprintf('"%d"', i) using 1:2 with lines linecolor rgb line_color[i] dashtype 2 linewidth 1.5, \
         for [i=1:|line_color|] data index sprintf('"%d"', i) using 1:2 with linespoints linecolor rgb line_color[i] pointtype line_mark[i] pointsize 0.8 linewidth 2
}
unset multiplot
