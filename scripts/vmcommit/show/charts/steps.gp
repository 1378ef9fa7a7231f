# Strategies with a step as lines over it, the others as lines across.
high = 480
load 'common.gp'
set logscale x 2
set xrange [step_low:step_high]
set xtics () rotate by 30 right
do for [i=1:|step_at|] { set xtics add (step_text[i] step_at[i]) }
set xlabel 'step'
set multiplot layout 1,2 margins 0.115,0.985,from_bottom(0.25*high),from_top(0.17*high) spacing 0.11
set title size_name.', all of it touched'
set ylabel 'time per touched page, ns'
set yrange [0:time_high]
plot for [i=1:|key|] 'time_across.dat' index key[i] using 1:2 with lines linestyle i, \
     for [i=1:|key|] 'time.dat' index key[i] using 1:3:4 with filledcurves linecolor rgb band(i), \
     for [i=1:|key|] 'time.dat' index key[i] using 1:2 with linespoints linestyle i
unset label
set title size_name.', '.sparse_text.' of it touched'
set ylabel 'commit charge, MiB'
set yrange [0:1.08*charge_high/2**20]
plot for [i=1:|key|] 'charge_across.dat' index key[i] using 1:($2/2**20) with lines linestyle i, \
     for [i=1:|key|] 'charge.dat' index key[i] using 1:($2/2**20) with linespoints linestyle i
unset multiplot
