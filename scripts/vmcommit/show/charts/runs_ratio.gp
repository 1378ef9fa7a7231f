# Time as a multiple of upfront against size, a panel for each other strategy, a line for each run.
wide = 1000; high = 460
heading = 'Time relative to upfront'
load 'common.gp'
load 'runs.gp'
set yrange [0:ratio_high]
set multiplot layout 1,words(present)-1 margins 0.06,0.985,0.25,0.74 spacing 0.06
do for [s=2:words(present)] {
    if (s == 3) { unset label }
    set title word(present, s)
    plot 1 with lines linecolor rgb '#000000' linewidth 1, \
         for [i=1:runs] data.'runs_ratio.dat' index (s-1)*int(runs)+i-1 using 1:3:4 with filledcurves linecolor rgb shade(i), \
         for [i=1:runs] data.'runs_ratio.dat' index (s-1)*int(runs)+i-1 using 1:2 with linespoints linecolor rgb hue[i] linewidth 2 pointtype sign[i]
}
unset multiplot
