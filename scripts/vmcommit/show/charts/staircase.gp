# Read at checkpoints. A panel for each strategy with a step, in several steps from thin to thick;
# those without one in all panels.
high = 177.6 + 302.4*rows + 110*(rows-1)
load 'common.gp'
MiB = 2.0**20
set xrange [0:size_bytes/MiB]
set yrange [0:1.08*charge_high/MiB]
set xlabel 'touched, MiB'
width(step) = 1 + 0.8*step
file(panel) = sprintf('panel%d.dat', panel)
block(step) = sprintf('"%d"', step)
set multiplot layout rows,columns margins 0.09,0.985,from_bottom(96),from_top(81.6) spacing 0.09,110/whole
set ylabel 'commit charge, MiB'
do for [p=1:|panel|] {
    if (p > 1) { unset label; unset ylabel }
    set title panel[p]
    plot for [i=1:|key|] 'across.dat' index key[i] using ($1/MiB):($2/MiB) with lines linestyle i, \
         for [step=0:steps-1] file(p) index block(step) using ($1/MiB):($2/MiB) with fsteps linecolor rgb panel_color[p] linewidth width(step)
}
unset multiplot
