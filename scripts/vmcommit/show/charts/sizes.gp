# The axis from left to right is the size of the region.
set logscale x 2
set xrange [size_low:size_high]
set xtics () rotate by 30 right
do for [i=1:|size_at|] { set xtics add (size_text[i] size_at[i]) }
