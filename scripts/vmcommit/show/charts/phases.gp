# Where the time of a cycle goes, stacked per touched page; each panel has its own scale.
wide = 1000; high = 440
heading = 'Where the time of a cycle goes'
load 'common.gp'
panel(i) = substr(rest, 1, strstrt(rest.'|', '|') - 1)
phases = 'reserve commit touch release'
fill(i) = word('#56B4E9 #E69F00 #B0B0B0 #CC79A7', i)
do for [i=1:4] { eval legend_fill(i, 0.45 + 0.11*i, word(phases, i), fill(i)) }
set style data histograms
set style histogram rowstacked
set style fill solid border linecolor rgb '#ffffff'
set boxwidth 0.75
set yrange [0:*]
set xtics rotate by 30 right
set grid noxtics
rest = phase_panels
panels = 1
do for [c=1:strlen(rest)] { if (rest[c:c] eq '|') { panels = panels + 1 } }
set multiplot layout 1,panels margins 0.115,0.985,0.25,0.83 spacing 0.075
set ylabel 'ns per touched page'
do for [p=1:panels] {
    set title panel(p)
    if (p > 1) { unset label; unset ylabel }
    plot for [i=1:4] data.'phases.dat' index p-1 using (column(i+1)):xtic(1) linecolor rgb fill(i)
    rest = substr(rest, strstrt(rest.'|', '|') + 1, strlen(rest))
}
unset multiplot
