# A line for each machine, a column for each strategy and size.
high = 200 + 15*(|machine_text| < 10 ? 10 : |machine_text|)
load 'common.gp'
unset colorbox
unset grid
set border 0
set tics scale 0
set palette defined (-1 '#b35806', -0.3 '#f1a340', 0 '#ffffff', 0.3 '#6baed6', 1 '#08306b')
set cbrange [-1:1]
set xrange [0.5:|column_text|+0.5]
set yrange [0.5:|machine_text|+0.5]
set xtics () rotate by 60 right font ',9'
do for [i=1:|column_text|] { set xtics add (column_text[i] i) }
set ytics () font ',8'
do for [i=1:|machine_text|] { set ytics add (machine_text[i] i) }
do for [i=1:|group_text|] {
    set label 200+i group_text[i] at first group_middle[i], screen from_top(66) center
    if (i < |group_text|) { set arrow i from first group_end[i]+0.5, graph 0 to first group_end[i]+0.5, graph 1 nohead front linecolor rgb '#606060' linewidth 2 }
}
set lmargin at screen 0.17
set rmargin at screen 0.985
set bmargin at screen from_bottom(110)
set tmargin at screen from_top(78)
plot 'map.dat' using 1:2:($1-0.48):($1+0.48):($2-0.46):($2+0.46):3 with boxxyerror fillstyle solid noborder linecolor palette
