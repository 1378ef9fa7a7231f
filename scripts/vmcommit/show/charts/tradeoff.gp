# The steps of a strategy lie along a path. Nothing unused has no place on a logarithmic axis and
# stands at its left end. The grey staircase is the Pareto frontier.
high = 560
load 'common.gp'
load 'times.gp'
set logscale x 2
set xrange [waste_none/2:waste_high*2]
set xtics ()
do for [i=1:|waste_at|] { set xtics add (waste_text[i] waste_at[i]) }
set xtics add ('none' waste_none)
set xlabel 'charge that is unused'
set title touched_text
set ylabel 'time per touched page'
set lmargin at screen 0.115
set rmargin at screen 0.975
set bmargin at screen from_bottom(0.2*high)
set tmargin at screen from_top(0.16*high)
plot 'frontier.dat' using 1:2 with lines linecolor rgb '#b0b0b0' linewidth 6, \
     for [i=1:|key|] 'paths.dat' index key[i] using 1:2 with linespoints linestyle i, \
     for [i=1:|key|] for [odd=0:1] 'labels_below.dat' index key[i] every 2::odd using 1:2:3 with labels right offset -0.8,-0.6-0.9*odd font ',9' textcolor rgb color[i], \
     for [i=1:|key|] for [odd=0:1] 'labels_above.dat' index key[i] every 2::odd using 1:2:3 with labels left offset 0.8,0.5+0.9*odd font ',9' textcolor rgb color[i]
