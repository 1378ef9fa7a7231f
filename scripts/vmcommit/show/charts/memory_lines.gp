# Steps over time, on a logarithmic axis: what is reserved may be a thousand times what is touched.
MiB = 2.0**20
set xrange [0:last]
set yrange [0.0625:2*high_bytes/MiB]
set logscale y 2
set format y '%g'
set xlabel 's'
set ylabel 'MiB'
block(i) = sprintf('"%d"', i)
set lmargin at screen 0.085
set rmargin at screen 0.985
set tmargin at screen from_top(80)
set bmargin at screen from_bottom(90)
plot for [i=1:|color|] 'lines.dat' index block(i) using 1:($2 > 0 ? $2/MiB : 0.0625) with steps linestyle i
