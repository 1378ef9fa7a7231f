# What the charts of several runs share: panels by strategy, and a colour and mark for each run. The
# chart sets table, first and range before it.
array hue[8] = ['#000000', '#D55E00', '#0072B2', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#808000']
array sign[8] = [6, 9, 5, 13, 4, 8, 7, 12]
shade(i) = '#C0'.hue[i][2:*]
do for [i=1:runs] {
    eval sprintf("set label %d \"%s\" at screen %g,%g left offset 1.2,0 font ',10' point pointtype %d pointsize 1 linewidth 2 linecolor rgb '%s'", 110+i, run_name[i], 0.30 + 0.35*((i-1)%2), 0.965 - 0.035*((i-1)/2), sign[i], hue[i])
}
set logscale x 2
set xrange [size_low:size_high]
eval 'set xtics '.size_tics.' rotate by 30 right'
set xlabel 'size of the region, all of it touched'
