# The axis upwards is time per touched page.
set logscale y 10
set yrange [time_low:time_high]
set ytics ()
do for [i=1:|time_at|] { set ytics add (time_text[i] time_at[i]) }
