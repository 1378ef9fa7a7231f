# The staircase: commit charge as the touching of one region proceeds, read at 64 checkpoints. Left
# chunked, right guard, in three steps each; upfront and fault, which have no step, in both.
wide = 1000; high = 480
heading = 'Commit charge as touching proceeds'
load 'common.gp'
MiB = 2.0**20
eval legend_strategies
set xrange [0:sweep_bytes/MiB]
set yrange [0:1.08*sweep_bytes/MiB]
set xlabel 'touched, MiB'
width(i) = 1 + 0.8*i
set multiplot layout 1,2 margins 0.09,0.985,0.2,0.83 spacing 0.09
set title 'chunked, steps '.stair_steps
set ylabel 'commit charge, MiB'
plot data.'staircase.dat' index 0 using ($1/MiB):($2/MiB) with lines linestyle 1, \
     data.'staircase.dat' index 1 using ($1/MiB):($2/MiB) with lines linestyle 2, \
     for [i=0:2] data.'staircase.dat' index 2+i using ($1/MiB):($2/MiB) with fsteps linecolor rgb color(3) linewidth width(i)
unset label
unset ylabel
set title 'guard, steps '.stair_steps
plot data.'staircase.dat' index 0 using ($1/MiB):($2/MiB) with lines linestyle 1, \
     data.'staircase.dat' index 1 using ($1/MiB):($2/MiB) with lines linestyle 2, \
     for [i=0:2] data.'staircase.dat' index 5+i using ($1/MiB):($2/MiB) with fsteps linecolor rgb color(4) linewidth width(i)
unset multiplot
