# The step of those that have one, at one size; the other two as lines across.
wide = 1000; high = 480
heading = 'What the step costs'
load 'common.gp'
eval legend_strategies
set logscale x 2
set xrange [step_low:step_high]
eval 'set xtics '.step_tics.' rotate by 30 right'
set xlabel 'step'
set multiplot layout 1,2 margins 0.115,0.985,0.25,0.83 spacing 0.11
set title sweep_size.', all of it touched'
set ylabel 'time per touched page, ns'
set yrange [0:step_time_high]
plot sweep_upfront with lines linestyle 1, \
     sweep_fault with lines linestyle 2, \
     for [i=3:known] data.'steps_time.dat' index i-1 using 1:3:4 with filledcurves linecolor rgb band(i), \
     for [i=3:known] data.'steps_time.dat' index i-1 using 1:2 with linespoints linestyle i
unset label
set title sweep_size.', a tenth of it touched'
set ylabel 'commit charge, MiB'
set yrange [0:1.08*sweep_bytes/2**20]
plot sweep_bytes/2**20 with lines linestyle 1, \
     sweep_touched/2**20 with lines linestyle 2, \
     for [i=3:known] data.'steps_charge.dat' index i-1 using 1:($2/2**20) with linespoints linestyle i
unset multiplot
