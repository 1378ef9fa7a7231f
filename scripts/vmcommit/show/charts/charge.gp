# Commit charge at its peak against size; the dotted line is what was touched. Marks of different size lie over each other where
# strategies agree.
wide = 1000; high = 480
heading = 'Commit charge at its peak'
load 'common.gp'
eval legend_strategies
set logscale xy 2
set xrange [size_low:size_high]
set yrange [size_low:size_high]
eval 'set xtics '.size_tics.' rotate by 30 right'
eval 'set ytics '.size_tics
set xlabel 'size of the region'
set multiplot layout 1,2 margins 0.115,0.985,0.25,0.83 spacing 0.12
set title 'all of it touched'
set ylabel 'commit charge'
plot for [i=1:known] data.'charge_full.dat' index i-1 using 1:2 with linespoints linestyle i
unset label
unset ylabel
set title 'a tenth of it touched'
plot x/10 with lines linecolor rgb '#909090' dashtype 3, \
     for [i=1:known] data.'charge_sparse.dat' index i-1 using 1:2 with linespoints linestyle i
unset multiplot
