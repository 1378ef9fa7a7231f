# Time per touched page against size, a panel for each strategy, a line for each run.
wide = 1000; high = 760
heading = 'Time per touched page'
load 'common.gp'
load 'runs.gp'
set logscale y 10
set yrange [page_low:page_high]
eval 'set ytics '.page_tics
set multiplot layout 2,(words(present)+1)/2 margins 0.095,0.985,0.16,0.8 spacing 0.09,0.16
do for [s=1:words(present)] {
    if (s == 2) { unset label }
    set title word(present, s)
    plot for [i=1:runs] data.'runs_latency.dat' index (s-1)*int(runs)+i-1 using 1:3:4 with filledcurves linecolor rgb shade(i), \
         for [i=1:runs] data.'runs_latency.dat' index (s-1)*int(runs)+i-1 using 1:2 with linespoints linecolor rgb hue[i] linewidth 2 pointtype sign[i]
}
unset multiplot
