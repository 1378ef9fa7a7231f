# The step against the size: each cell is the time as a multiple of upfront, in figures and as shade.
wide = 1000; high = 480
heading = 'Time as a multiple of upfront, by size and step'
load 'common.gp'
unset colorbox
unset grid
set border 0
set tics scale 0
set palette defined (0 '#ffffff', 0.25 '#c6dbef', 0.6 '#4292c6', 1 '#08306b')
set cbrange [0:1]
set xrange [0.5:grid_sizes+0.5]
set yrange [0.5:grid_steps+0.5]
eval 'set xtics '.grid_size_tics.' rotate by 30 right'
eval 'set ytics '.grid_step_tics
set xlabel 'size of the region, all of it touched'
set multiplot layout 1,|grid_panels| margins 0.09,0.985,0.25,0.83 spacing 0.09
set ylabel 'step'
do for [p=1:|grid_panels|] {
    if (p > 1) { unset label; unset ylabel }
    set title grid_panels[p]
    plot data.'grid.dat' index p-1 using 1:2:($1-0.48):($1+0.48):($2-0.46):($2+0.46):3 with boxxyerror fillstyle solid noborder linecolor palette, \
         data.'grid.dat' index p-1 using 1:2:4:($3 > 0.55 ? 0xffffff : 0x202020) with labels font |grid_panels| > 2 ? ',8' : ',10' textcolor rgb variable
}
unset multiplot
