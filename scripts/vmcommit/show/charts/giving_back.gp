# A row for each call, below what it gives back; the axis from left to right is time for each page.
high = lowest > -9 ? 420 : 110 - 34*lowest
load 'common.gp'
set grid noytics xtics linecolor rgb '#e0e0e0' linewidth 1
set logscale x 10
set xrange [time_low:time_high]
set xtics ()
do for [i=1:|time_at|] { set xtics add (time_text[i] time_at[i]) }
set xlabel subject
set yrange [lowest:0]
set ytics () scale 0
do for [i=1:|call_at|] { set ytics add (call_text[i] call_at[i]) }
do for [i=1:|title_at|] {
    set label 200+i title_text[i] at graph 0.01, first title_at[i] left font ',10' textcolor rgb '#505050'
}
set margins screen 0.205, screen 0.975, screen from_bottom(95), screen from_top(45)
plot 'back.dat' using 1:2:3:4 with xerrorbars linecolor rgb back_color pointtype back_mark pointsize 1.2 linewidth 2, \
     'again.dat' using 1:2:3:4 with xerrorbars linecolor rgb again_color pointtype again_mark pointsize 1.2 linewidth 2
