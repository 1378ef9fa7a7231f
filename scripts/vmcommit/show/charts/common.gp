# What all charts share. settings.gp, written by Python and loaded before, has format (svg or png),
# wide, heading, caption, legend_*, and above and below: the height of those lines of the legend and
# the caption that come on top of the first. Before loading this a chart sets high, its own height.

whole = high + above + below
if (format eq 'svg') {
    set terminal svg noenhanced size wide,whole font 'Helvetica,Arial,sans-serif,13' background '#ffffff'
} else {
    set terminal pngcairo noenhanced size wide,whole font 'DejaVu Sans,10' background '#ffffff'
}
set output 'picture'
set encoding utf8

# Places in the chart, from pixels to shares of the picture.
from_bottom(pixels) = (below + pixels) / whole
from_top(pixels) = 1 - (above + pixels) / whole

# One style for each strategy, in the order of name and key.
band(i) = '#C0'.(color[i])[2:*]
if (exists('color')) {
    do for [i=1:|color|] {
        set style line i linecolor rgb color[i] linewidth 2 pointtype mark[i] pointsize mark_size[i] dashtype dash[i]
    }
}

set border 3 linecolor rgb '#606060'
set tics nomirror out textcolor rgb '#303030'
set grid y linecolor rgb '#e0e0e0' linewidth 1
unset key
# Heading, legend and machine. Labels, since a key would be as narrow as its panel; set once, and
# taken away by `unset label` after the first of several panels.
usual = high > 560 ? 560 : high
first_line = 0.045*usual
set label 101 heading at screen 0.012, 1 - first_line/whole left font ',14' textcolor rgb '#000000'
set label 100 caption at screen 0.012, from_bottom(0.025*usual) left font ',10' textcolor rgb '#505050'
if (exists('legend_text')) {
    do for [i=1:|legend_text|] {
        set label 110+i legend_text[i] at screen legend_x[i], 1 - (first_line + 22*legend_line[i])/whole left offset 1.2,0 point pointtype legend_mark[i] pointsize legend_size[i] linewidth 2 linecolor rgb legend_color[i]
    }
}
