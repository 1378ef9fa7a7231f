# What the order of touching does to the number of mappings that the kernel must keep. A cross marks
# what a strategy can't do; a refusal is named.
wide = 1000; high = 460
heading = 'Mappings by the order of touching'
load 'common.gp'
eval legend_strategies
set logscale y 10
set yrange [0.7:region_high]
set xrange [0.4:order_count+0.6]
eval 'set xtics '.order_tics
set ylabel 'mappings of the region at its peak'
set boxwidth 0.16
set style fill solid 0.9 noborder
set margins screen 0.095, screen 0.985, screen 0.16, screen 0.88
plot for [i=1:4] data.'orders.dat' index i-1 using ($1+(i-2.5)*0.18):2 with boxes linecolor rgb color(i), \
     for [i=1:4] data.'orders.dat' index i-1 using ($1+(i-2.5)*0.18):($3 == 1 ? 1 : NaN) with points pointtype 2 pointsize 1 linecolor rgb color(i), \
     for [i=1:4] data.'orders.dat' index i-1 using ($1+(i-2.5)*0.18):($3 == 2 ? $2*1.35 : NaN):('refused') with labels textcolor rgb color(i)
