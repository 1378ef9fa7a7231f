# Stacked per touched page; each panel has its own scale.
high = 440
load 'common.gp'
set style data histograms
set style histogram rowstacked
set style fill solid border linecolor rgb '#ffffff'
set boxwidth 0.75
set yrange [0:*]
set xtics () rotate by (|name| > 6 ? 60 : 30) right
do for [i=1:|name|] { set xtics add (name[i] i-1) }
set grid noxtics
set multiplot layout rows,columns margins 0.115,0.985,from_bottom(0.25*high),from_top(0.17*high) spacing 0.075
set ylabel 'ns per touched page'
do for [p=1:|panel|] {
    set title panel[p]
    if (p > 1) { unset label; unset ylabel }
    plot for [i=1:|fill|] 'phases.dat' index sprintf('"%d"', p) using i linecolor rgb fill[i]
}
unset multiplot
