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
n = words(present)
place(k) = (k - 0.5*(n+1)) * 0.72/n
shown(k) = color(number(word(present, k)))
set boxwidth 0.64/n
set style fill solid 0.9 noborder
set margins screen 0.095, screen 0.985, screen 0.16, screen 0.88
plot for [k=1:n] data.'orders.dat' index k-1 using ($1+place(k)):2 with boxes linecolor rgb shown(k), \
     for [k=1:n] data.'orders.dat' index k-1 using ($1+place(k)):($3 == 1 ? 1 : NaN) with points pointtype 2 pointsize 1 linecolor rgb shown(k), \
     for [k=1:n] data.'orders.dat' index k-1 using ($1+place(k)):($3 == 2 ? $2*1.35 : NaN):('refused') with labels textcolor rgb shown(k)
