# What a step buys: charge that is promised and unused against time per page, the steps of chunked
# and guard along a path. Nothing unused has no place on a logarithmic axis and stands at its left
# end. The grey staircase is the frontier: nothing is better in both.
wide = 1000; high = 560
heading = 'Unused charge against time'
load 'common.gp'
eval legend_strategies
set logscale x 2
set logscale y 10
set xrange [waste_none/2:waste_high*2]
set yrange [tradeoff_low:tradeoff_high]
eval 'set xtics '.waste_tics
set xtics add ('none' waste_none)
eval 'set ytics '.tradeoff_tics
set xlabel 'commit charge promised and unused'
set title tradeoff_title
set ylabel 'time per touched page'
set lmargin at screen 0.09
set rmargin at screen 0.975
set bmargin at screen 0.2
set tmargin at screen 0.84
plot data.'frontier.dat' using 1:2 with lines linecolor rgb '#b0b0b0' linewidth 6, \
     for [i=1:known] data.'tradeoff.dat' index i-1 using 1:2 with linespoints linestyle i, \
     for [odd=0:1] data.'tradeoff_steps.dat' index 0 every 2::odd using 1:2:3 with labels right offset -0.8,-0.6-0.9*odd font ',9' textcolor rgb color(3), \
     for [odd=0:1] data.'tradeoff_steps.dat' index 1 every 2::odd using 1:2:3 with labels left offset 0.8,0.5+0.9*odd font ',9' textcolor rgb color(4)
