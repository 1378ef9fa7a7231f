# The staircase: commit charge as the touching of one region proceeds, read at 64 checkpoints. A panel
# for each strategy with a step, in three steps each; upfront and fault, which have none, in all.
wide = 1000; high = 480
heading = 'Commit charge as touching proceeds'
load 'common.gp'
MiB = 2.0**20
eval legend_strategies
set xrange [0:sweep_bytes/MiB]
set yrange [0:1.08*sweep_bytes/MiB]
set xlabel 'touched, MiB'
width(i) = 1 + 0.8*i
set multiplot layout 1,|stair_panels| margins 0.09,0.985,0.2,0.83 spacing 0.09
set ylabel 'commit charge, MiB'
do for [p=1:|stair_panels|] {
    if (p > 1) { unset label; unset ylabel }
    set title stair_panels[p].', steps '.stair_steps
    plot data.'staircase.dat' index 0 using ($1/MiB):($2/MiB) with lines linestyle 1, \
         data.'staircase.dat' index 1 using ($1/MiB):($2/MiB) with lines linestyle 2, \
         for [i=0:2] data.'staircase.dat' index 3*p-1+i using ($1/MiB):($2/MiB) with fsteps linecolor rgb color(number(stair_panels[p])) linewidth width(i)
}
unset multiplot
