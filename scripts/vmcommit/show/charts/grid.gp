# The step against the size: each cell is a ratio, in figures and as shade.
high = 201.6 + 278.4*rows + 120*(rows-1)
load 'common.gp'
unset colorbox
unset grid
set border 0
set tics scale 0
set palette defined (0 '#ffffff', 0.25 '#c6dbef', 0.6 '#4292c6', 1 '#08306b')
set cbrange [0:1]
set xrange [0.5:|size_text|+0.5]
set yrange [0.5:|step_text|+0.5]
set xtics () rotate by 30 right
do for [i=1:|size_text|] { set xtics add (size_text[i] i) }
set ytics ()
do for [i=1:|step_text|] { set ytics add (step_text[i] i) }
set xlabel 'size of the region, all of it touched'
set multiplot layout rows,columns margins 0.105,0.985,from_bottom(120),from_top(81.6) spacing 0.09,120/whole
set ylabel 'step'
do for [p=1:|panel|] {
    if (p > 1) { unset label; unset ylabel }
    set title panel[p]
    plot 'grid.dat' index key[p] using 1:2:($1-0.48):($1+0.48):($2-0.46):($2+0.46):3 with boxxyerror fillstyle solid noborder linecolor palette, \
         'grid.dat' index key[p] using 1:2:4:($3 > 0.55 ? 0xffffff : 0x202020) with labels font columns > 2 ? ',8' : ',10' textcolor rgb variable
}
unset multiplot
