# Page against time, how often as shade.
high = 162.4 + 165.2*rows + 67.2*(rows-1)
load 'common.gp'
unset colorbox
set palette defined (0 '#ffffff', 0.25 '#c6dbef', 0.6 '#4292c6', 1 '#08306b')
set logscale y 10
unset grid
set xrange [-0.5:fold_pages-0.5]
set yrange [touch_low:touch_high]
set ytics ()
do for [i=1:|touch_at|] { set ytics add (touch_text[i] touch_at[i]) }
set xtics 64
set multiplot layout rows,columns margins 0.09,0.985,from_bottom(89.6),from_top(72.8) spacing 0.07,67.2/whole
do for [p=1:|panel|] {
    set title panel[p]
    if (p == 2) { unset label }
    if (p > |panel|-columns) { set xlabel 'page within the window' } else { unset xlabel }
    plot 'touches.dat' index key[p] using 1:2:($1-0.5):($1+0.5):3:4:5 with boxxyerror fillstyle solid noborder linecolor palette
}
unset multiplot
