# A cross marks what a strategy can't do; a refusal is named.
high = 460
load 'common.gp'
set logscale y 10
set yrange [0.7:region_high]
set xrange [0.4:|order_text|+0.6]
set xtics ()
do for [i=1:|order_text|] { set xtics add (order_text[i] i) }
set ylabel 'mappings of the region at its peak'
n = |key|
place(i) = (i - 0.5*(n+1)) * 0.72/n
set boxwidth 0.64/n
set style fill solid 0.9 noborder
set margins screen 0.12, screen 0.985, screen from_bottom(0.16*high), screen from_top(0.12*high)
plot for [i=1:n] 'orders.dat' index key[i] using ($1+place(i)):2 with boxes linecolor rgb color[i], \
     for [i=1:n] 'orders.dat' index key[i] using ($1+place(i)):($3 == 1 ? 1 : NaN) with points pointtype 2 pointsize 1 linecolor rgb color[i], \
     for [i=1:n] 'orders.dat' index key[i] using ($1+place(i)):($3 == 2 ? $2*1.35 : NaN):('refused') with labels offset 0,0.9*((i-1)%2) textcolor rgb color[i]
