# What all charts share. Called with: format (svg or png), settings (axis marks and the caption,
# written by charts.py), result (the file to write). Before it
# the chart sets wide, high and heading.

load settings
if (format eq 'svg') {
    set terminal svg size wide,high font 'Helvetica,Arial,sans-serif,13' background '#ffffff'
} else {
    set terminal pngcairo size wide,high font 'DejaVu Sans,10' background '#ffffff'
}
set output result
set encoding utf8

# Okabe and Ito's colours, which colour-blind readers can tell apart, and a mark for each strategy;
# in the order of HARNESSES in summary.py, in which data files have their blocks.
strategies = 'upfront fault chunked guard custom malloc'
color(i) = word('#000000 #D55E00 #0072B2 #009E73 #CC79A7 #E69F00', i)
band(i) = '#C0'.color(i)[2:*]
array mark[6] = [6, 9, 5, 13, 4, 10]
array mark_size[6] = [1.5, 1.0, 0.7, 1.0, 1.2, 1.2]
array dash[6] = [1, 1, 1, 2, 1, 1]
known = words(strategies)
number(name) = int(sum [i=1:known] (word(strategies, i) eq name ? i : 0))
do for [i=1:known] {
    set style line i linecolor rgb color(i) linewidth 2 pointtype mark[i] pointsize mark_size[i] dashtype dash[i]
}

set border 3 linecolor rgb '#606060'
set tics nomirror out textcolor rgb '#303030'
set grid y linecolor rgb '#e0e0e0' linewidth 1
unset key
# Heading, legend and machine. Labels, since a key would be as narrow as its panel; set once, and
# taken away by `unset label` after the first of several panels.
set label 101 heading.doubt at screen 0.012,0.955 left font ',14' textcolor rgb '#000000'
set label 100 caption at screen 0.012,0.025 left font ',10' textcolor rgb '#505050'

# One entry of the legend: its place from the left, its text, and its mark.
legend(i, x, text, type, size, rgb) = sprintf("set label %d '%s' at screen %g,0.955 left offset 1.2,0 point pointtype %d pointsize %g linewidth 2 linecolor rgb '%s'", 110+i, text, x, type, size, rgb)
legend_fill(i, x, text, rgb) = legend(i, x, text, 5, 1.6, rgb)
legend_gap(n) = n > 4 ? 0.08 : 0.11
legend_strategies = "do for [k=1:words(present)] { name = word(present, k); i = number(name); eval legend(k, 1 - legend_gap(words(present)) * (words(present) + 1 - k), name, mark[i], mark_size[i], color(i)) }"
