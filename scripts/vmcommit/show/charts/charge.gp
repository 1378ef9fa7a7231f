# The dotted line is what was touched. Marks of different size lie over each other where strategies
# agree.
high = 480
load 'common.gp'
load 'sizes.gp'
set logscale y 2
set yrange [size_low:charge_high]
set ytics ()
do for [i=1:|size_at|] { set ytics add (size_text[i] size_at[i]) }
set xlabel 'size of the region'
set multiplot layout 1,2 margins 0.115,0.985,from_bottom(0.25*high),from_top(0.17*high) spacing 0.12
set title 'all of it touched'
set ylabel 'commit charge'
plot for [i=1:|key|] 'full.dat' index key[i] using 1:2 with linespoints linestyle i
unset label
unset ylabel
set title sparse_text.' of it touched'
plot x*sparse_share with lines linecolor rgb '#909090' dashtype 3, \
     for [i=1:|key|] 'sparse.dat' index key[i] using 1:2 with linespoints linestyle i
unset multiplot
